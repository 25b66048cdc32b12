"""Next needs: what each customer will buy, with a probability and a reason.

Read the files in this order; each leads to the next.

1. What customers did and said: ``shoppers``, ``signals``, ``ratings``, ``dislikes``, ``facts``.
2. Who proposes: ``source`` (the contract), ``sources`` (the list), then each source's file.
3. What is known of a candidate: ``popular``, ``repeats``, ``habits``, ``categories``, and
   ``candidates``, which brings them together for a batch of customers.
4. The answer: ``proposals``, ``answers``, ``facts_of_answers``; ``filters``, ``diversity``,
   ``explain``.
5. What the weights are learned from: ``slices``, ``samples``, ``selection``, ``choice``,
   ``blend``, ``said``, ``training``.
6. What is kept: ``stored``, ``update``, ``for_serving``; ``ranker`` is the door.

Own pairs come in two kinds: each customer's best by plain rate (``own``) are looked at with
every column, those beyond (``tail``) with a few; ``new`` are items not bought before.
"""

from .ranker import NextNeedRanker
from .sources import SOURCES

__all__ = ["SOURCES", "NextNeedRanker"]

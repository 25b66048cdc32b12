"""How leaving differs after a contact, a complaint, a return: associations, no causes.

Read ``rows`` (what is compared), ``odds`` (how), ``associations`` (the table), ``words``, ``plot``.
"""

"""Whom to contact: service levels under a budget, what a campaign changed, and uplift."""

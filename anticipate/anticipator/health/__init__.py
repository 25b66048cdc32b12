"""Whether a bundle is still right: drift, calibration of closed windows, when to fit again."""

from .check import Health, bundle_health
from .reference import make_reference

__all__ = ["Health", "bundle_health", "make_reference"]

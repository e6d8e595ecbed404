"""Policies in Cedar, evaluated by cedarpy."""

from interlock.adapters.cedar.policies import CedarPolicies

__all__ = ["CedarPolicies"]

"""The pages: approvals, actions, agents, policies, figures. They ask services, and decide nothing."""

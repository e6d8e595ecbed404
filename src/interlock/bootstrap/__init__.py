"""Where everything meets: files become values, adapters become means, means become a control plane. Names every adapter."""

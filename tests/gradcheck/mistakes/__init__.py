"""Wrong gradients that learners write, each with what the report must say of it."""

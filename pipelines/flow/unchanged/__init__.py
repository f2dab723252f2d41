"""Steps that need not work again: what their last passes depended on, what has changed since, and what they gave."""

"""What an answer does and what a request touches: rules first, a small linear model where they are unsure."""

"""How long other threads stand still while a profile is made and encoded."""

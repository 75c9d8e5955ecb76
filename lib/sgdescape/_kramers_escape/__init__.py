"""Private floor of chapter `kramers_escape`: derivation, landscapes, passages, claims, figures."""

"""Where the statements of chapter `network_limits` come from."""

PAPER, OWN = "Kunin et al. (2023)", "this book"
EPOCHS, RELATIONS = "Kühn and Rosenow (2023)", "Yaida (2019)"

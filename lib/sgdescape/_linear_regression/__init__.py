"""Theory, measurement and drawing of chapter `linear_regression`; the chapter's module offers them."""

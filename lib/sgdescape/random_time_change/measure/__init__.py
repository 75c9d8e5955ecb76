"""Experiments of chapter `random_time_change`: `paths`, `ensembles` and discrete `operators`.

`paths` follows both clocks of a path, `ensembles` samples passages, stationary laws, growth and the
frozen clock, `operators` solves Fokker-Planck equations on a grid. They return raw numbers and
import no formula under test.
"""

"""The smallest configuration of the chapter that still runs every part."""

from dataclasses import replace

import sgdescape.random_time_change as rtc

TINY = replace(
    rtc.QUICK,
    fine_step=2.0**-8,
    levels=(1, 3),
    path_time=1.0,
    paths=20,
    samples=200,
    step=0.05,
    passages=50,
    passage_step=0.05,
    loss_ratio=1.5,
    stationary_samples=200,
    stationary_step=0.05,
    stationary_time=2.0,
    gibbs_chains=60,
    gibbs_step=0.05,
    gibbs_time=4.0,
    gibbs_kept=4,
    runs=50,
    long_step=0.05,
    long_time=16.0,
    growth_steps=50,
    groups=4,
    lives=50,
)

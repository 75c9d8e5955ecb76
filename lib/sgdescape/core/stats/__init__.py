"""Numbers from samples: intervals, survival with censoring, correlation, tails, reference laws.

Nothing knows SGD; estimators of one chapter are in that chapter.
"""

"""Numbers from samples: intervals, slopes, survival with censoring, correlation, tails.

Nothing knows SGD; estimators of one chapter are in that chapter.
"""

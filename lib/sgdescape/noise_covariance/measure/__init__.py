"""Experiments of chapter `noise_covariance`: `laws` of inputs, `batches`, a trained `network`.

They return raw samples and sums of real batches, sampled linear models and a trained network, and
import no formula under test; what is estimated from them is in `estimates`.
"""

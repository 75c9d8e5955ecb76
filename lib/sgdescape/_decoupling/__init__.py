"""Measurements, claims and figures of chapter `decoupling`; use that module instead."""

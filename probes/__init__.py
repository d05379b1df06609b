"""Emergencies and their harmless twins, written in many ways: does the wording decide who is sent for help?"""

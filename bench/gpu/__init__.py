"""Whole jobs on a GPU, from one command: does it agree with the CPU, how long does each stage take, how near to the
chip's rate, and how well does a real model learn a real speaker there.
"""

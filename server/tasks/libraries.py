"""Loads what some requests need beside `all_tasks`, so that no caller waits for an import.

Riskfolio-Lib is not here: it takes 350 MB and is asked for by name only; the first such request of a worker loads it
before its time limit begins.
"""

import clarabel
import daqp
import highspy
import piqp
import scipy.optimize
import scipy.sparse
import scipy.stats
import sklearn.cluster
import sklearn.covariance

LOADED = (clarabel, daqp, highspy, piqp, scipy, sklearn)

"""scikit-learn's MLPClassifier and MLPRegressor, trained by fastgd: `from fastgd.sklearn import
MLPClassifier, MLPRegressor, search`.

The only part of fastgd that imports scikit-learn: `pip install 'fastgd[sklearn]'`.
"""

try:
    import sklearn  # noqa: F401
except ImportError as error:
    raise ImportError("fastgd.sklearn needs scikit-learn: pip install 'fastgd[sklearn]'") from error

from fastgd.sklearn.classifier import MLPClassifier
from fastgd.sklearn.regressor import MLPRegressor
from fastgd.sklearn.search import search

__all__ = ["MLPClassifier", "MLPRegressor", "search"]

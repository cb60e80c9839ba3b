"""From data to moments: estimators of expected returns and covariance, and the object that holds both."""

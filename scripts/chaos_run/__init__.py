"""Mixed load with random faults. Run it through scripts/chaos."""

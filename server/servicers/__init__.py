"""The methods of the contract: map, call, map. No rule of finance lives here, and no error is caught."""

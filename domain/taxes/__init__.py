"""Taxes on realised gains in the United States: lots, their choice, wash sales (Internal Revenue Code, section 1091).

Begin with `lots` (what is held), then `lot_selection` (which lots a sale takes), `gains` (what the tax is) and
`wash_sales` (which losses are disallowed, and until when an asset should not be bought). Money and units are decimals;
work on them inside `domain.exact.exact_arithmetic()`.
"""

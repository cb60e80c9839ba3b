"""What requests ask for, in terms of the domain: made by converters, carried out by tasks, known to services.

`stored` says what of the store a request needs before it can be carried out; the other modules follow the services of
the contract.
"""

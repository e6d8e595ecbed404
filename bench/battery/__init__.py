"""The same battery on Interlock and on others: what each keeps is worked on, and each is asked whether it notices."""

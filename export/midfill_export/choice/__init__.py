"""Which model this machine carries: its speed, what each model would take, and which one is best."""

"""What all tests have in common."""

from own_files import set_apart

set_apart()  # before anything is collected, for parameters of tests hold settings

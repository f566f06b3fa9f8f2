"""`python -m bcns_pipeline`: the same as `bcns`, where the script is not on the path."""

from bcns_pipeline.cli.main import main

main()

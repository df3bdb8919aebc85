"""`python -m libvoiceflow diarize meeting.flac`: the command line."""

from ._command import main

main()

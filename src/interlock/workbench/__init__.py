"""What somebody does who works on policies, from files to what is in force: the command line and programs do it alike."""

"""The programs: one file per stage, each with what it reads, writes and may see."""

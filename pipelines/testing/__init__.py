"""What users test their own pipelines with; a pytest plugin (see `plugin`)."""

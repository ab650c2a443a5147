"""Finding. `tree` is what is asked, `index` what an engine promises, `languages` how words are
reduced to what is looked up."""

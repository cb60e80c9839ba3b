"""The documentation as a site: mkdocs.yml calls `pages`, which adds to the pages of docs/ what is written elsewhere.

Begin reading at `pages`. `contract` has the comments and rules of the protos, `contract_pages` writes them as Markdown,
and `error_pages` the reasons of errors.
"""

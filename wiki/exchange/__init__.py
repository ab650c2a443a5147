"""Taking a wiki along: everything in one file that proves itself, and bringing it in again.

verify_alone      what an export must be; the program that lies in each one
known_keys        whose signatures this site can check
archive           writing the ZIP
reading           pages as files that need no server
export            a site, or some spaces, into a ZIP
verify            proving a ZIP, the pages' texts too
people_json       what people are called in an export, and who they become here
sites             the other sites that an export speaks of
retelling         its records told again: what the tables say comes from what was signed
import_zip        a ZIP into an empty site
git_commits       a space's record as commits
git_objects       how git writes them down
git_folders       the newest tree, which the next one builds on
git_writer        writing both, step by step
git_repository    all of them in the cache folder, for clones
git_stream        the same for `git fast-import`
folder_files      what lies in a folder of Markdown files, and what their links mean
front_matter      the fields on top of such a file
relinking         its links, led to where their targets are in the wiki
markdown_folder   the folder into a space
arrival           pages that come with their history
git_source        which revisions the files of a repository had
git_pages         what becomes of them
mediawiki         a dump of MediaWiki
wikitext          its markup as Markdown
as_markdown       pieces of Markdown that are made of something else
fedwiki           pages of federated wikis, with their journals
etherpad          a pad, with the author of every letter
"""

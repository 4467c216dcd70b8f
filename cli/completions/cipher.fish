# Completions of cipher for fish: each line that the program answers is a candidate, a tab, and what it is.

function __cipher_complete
    set --local words (commandline --current-process --tokenize --cut-at-cursor)
    set --local current (commandline --current-token --cut-at-cursor)
    cipher complete (count $words) $words "$current" 2>/dev/null
end

complete --command cipher --no-files --keep-order --arguments '(__cipher_complete)'

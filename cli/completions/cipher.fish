# Completions of cipher for fish. 'cipher complete' prints one candidate per line, a tab, and its description.

function __cipher_complete
    set --local words (commandline --current-process --tokenize --cut-at-cursor)
    set --local current (commandline --current-token --cut-at-cursor)
    set --global __cipher_candidates (cipher complete (count $words) $words "$current" 2>/dev/null)
    test (count $__cipher_candidates) -gt 0
end

# Where there is no candidate, fish completes files.
complete --command cipher --condition __cipher_complete --no-files --keep-order --arguments '$__cipher_candidates'

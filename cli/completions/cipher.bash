# Completions of cipher for bash: each line that the program answers is a candidate, a tab, and what it is.

_cipher() {
    COMPREPLY=()
    local candidate
    while IFS=$'\t' read -r candidate _; do
        COMPREPLY+=("$candidate")
    done < <(cipher complete "$COMP_CWORD" "${COMP_WORDS[@]}" 2>/dev/null)
    if [[ -e ${COMPREPLY[0]} ]]; then
        compopt -o filenames # quotes what has to be
    fi
}
complete -o bashdefault -F _cipher cipher

# Completions of cipher for bash. 'cipher complete' prints one candidate per line, a tab, and its description.

_cipher() {
    COMPREPLY=()
    # Bash splits words at '=' and ':' too. Put them together again, and leave redirections out.
    local line=$COMP_LINE words=() word rest index skip=
    for ((index = 0; index <= COMP_CWORD; index++)); do
        word=${COMP_WORDS[index]}
        rest=${line#"${line%%[![:space:]]*}"}
        if [[ $word == ['<>']* ]]; then
            skip=1
        elif [[ $skip ]]; then
            skip=
            ((index < COMP_CWORD)) || return 0 # a file, after '<' or '>'
        elif ((${#words[@]})) && [[ $rest == "$line" ]]; then
            words[${#words[@]} - 1]+=$word
        else
            words+=("$word")
        fi
        line=${rest#"$word"}
    done
    [[ ! $skip ]] || return 0
    local typed=${words[${#words[@]} - 1]} candidate
    while IFS=$'\t' read -r candidate _; do
        candidate=${candidate#"${typed%"$2"}"} # what bash takes for the word
        [[ $candidate != *= ]] || compopt -o nospace
        COMPREPLY+=("$candidate")
    done < <(cipher complete $((${#words[@]} - 1)) "${words[@]}" 2>/dev/null)
}
# Where there is no candidate, bash completes files.
complete -o bashdefault -o default -F _cipher cipher

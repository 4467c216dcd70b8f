;; Records audit events with sequences that color, retitle, reorder, and overwrite what a terminal shows.
;; $ cipher encrypt escapes-audit x
;; status 0
;; stdout
;; stderr [AUDIT] Action: \u{1b}[31mred\u{1b}]0;title\u{7} \u{9b}31m \u{202e} over \u{2028} line \0 \u{7f} \u{8} \r end | Detail: \u{1b}[31mred\u{1b}]0;title\u{7} \u{9b}31m \u{202e} over \u{2028} line \0 \u{7f} \u{8} \r end
;; $ cipher encrypt escapes-audit x --audit-format json 2>&1 >/dev/null | tr -d ' -~' | wc -c
;; status 0
;; stdout 2
(component
  (import "saritnike:cipher/audit-log@0.1.0" (instance $log
    (export "auditrecord" (func (param "action" string) (param "detail" string)))))
  (core module $memory
    (memory (export "memory") 1)
    (data (i32.const 64) "\1b[31mred\1b]0;title\07 \c2\9b31m \e2\80\ae over \e2\80\a8 line \00 \7f \08 \0d end")
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 256)))
  (core instance $m (instantiate $memory))
  (core func $record (canon lower (func $log "auditrecord") (memory (core memory $m "memory"))))
  (core module $code
    (import "m" "memory" (memory 1))
    (import "host" "record" (func $record (param i32 i32 i32 i32)))
    (func (export "call") (param i32 i32) (result i32)
      (call $record (i32.const 64) (i32.const 54) (i32.const 64) (i32.const 54))
      (i32.const 0)))
  (core instance $i (instantiate $code
    (with "m" (instance $m))
    (with "host" (instance (export "record" (func $record))))))
  (func $call (param "input" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $m "memory")) (realloc (core func $m "realloc"))))
  (export "encr" (func $call))
  (export "decr" (func $call)))

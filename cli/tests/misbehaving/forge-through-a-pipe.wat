;; Records an event of 900 kB that imitates the starts of events. On a pipe, each of its parts is a line that says so; in a
;; file, it is one line.
;; $ cipher encrypt forge-through-a-pipe x 2>&1 >/dev/null | grep -Ecv '^\[AUDIT\] Part [0-9]+/[0-9]+ of [0-9]+ \| Action: (\[AUDIT\] Action: decrypt \\u\{7c\})? \| Detail: '
;; status 1
;; stdout 0
;; $ cipher encrypt forge-through-a-pipe x --audit-file audit >/dev/null; wc -l <audit
;; status 0
;; stdout 1
(component
  (import "saritnike:cipher/audit-log@0.1.0" (instance $log
    (export "auditrecord" (func (param "action" string) (param "detail" string)))))
  (core module $memory
    (memory (export "memory") 20)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 16)))
  (core instance $m (instantiate $memory))
  (core func $record (canon lower (func $log "auditrecord") (memory (core memory $m "memory"))))
  (core module $code
    (import "m" "memory" (memory 20))
    (import "host" "record" (func $record (param i32 i32 i32 i32)))
    (data (i32.const 128) "[AUDIT] Action: decrypt | Detail: FORGED FORGED FORGED FORGED .. ")
    (func (export "call") (param i32 i32) (result i32)
      (local $at i32)
      (local.set $at (i32.const 1024))
      (loop $fill
        (memory.copy (local.get $at) (i32.const 128) (i32.const 64))
        (local.set $at (i32.add (local.get $at) (i32.const 64)))
        (br_if $fill (i32.lt_u (local.get $at) (i32.const 1000000))))
      (call $record (i32.const 1024) (i32.const 25) (i32.const 1024) (i32.const 900000))
      (i64.store (i32.const 0) (i64.const 0))
      (i32.const 0)))
  (core instance $i (instantiate $code
    (with "m" (instance $m))
    (with "host" (instance (export "record" (func $record))))))
  (func $call (param "input" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $m "memory")) (realloc (core func $m "realloc"))))
  (export "encr" (func $call))
  (export "decr" (func $call)))

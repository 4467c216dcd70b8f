;; A guest that keeps the contract in every case of the kit: it returns what it is given, whole or in pieces. The tests
;; take one thing after the other out of it.
(component
  (import "saritnike:cipher/audit-log@0.1.0" (instance $log
    (export "auditrecord" (func (param "action" string) (param "detail" string)))))

  (core module $memory
    (memory (export "memory") 1)
    (data (i32.const 16) "encryptdecryptwhole")
    (global $free (mut i32) (i32.const 64))
    (func (export "realloc") (param i32 i32 i32) (param $size i32) (result i32)
      (local $at i32)
      (local.set $at (global.get $free))
      (global.set $free (i32.add (local.get $at) (local.get $size)))
      (if (i32.gt_u (global.get $free) (i32.mul (memory.size) (i32.const 65536)))
        (then (drop (memory.grow (i32.add (i32.div_u (local.get $size) (i32.const 65536)) (i32.const 1))))))
      (local.get $at))
    (func (export "returned") (param i32)
      (global.set $free (i32.const 64))))
  (core instance $m (instantiate $memory))
  (core func $record (canon lower (func $log "auditrecord") (memory (core memory $m "memory"))))

  (core module $code
    (import "m" "memory" (memory 1))
    (import "host" "record" (func $record (param i32 i32 i32 i32)))
    (import "host" "new" (func $new (param i32) (result i32)))
    (global $calls (mut i32) (i32.const 0))
    ;; The action of operation 0 or 1; the detail is "whole".
    (func $report (param $operation i32)
      (call $record (i32.add (i32.const 16) (i32.mul (local.get $operation) (i32.const 7))) (i32.const 7)
        (i32.const 30) (i32.const 5)))
    (func $return (param $text i32) (param $length i32) (result i32)
      (i32.store (i32.const 0) (local.get $text))
      (i32.store (i32.const 4) (local.get $length))
      (i32.const 0))
    (func (export "encr") (param $text i32) (param $length i32) (result i32)
      (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
      (call $report (i32.const 0))
      (call $return (local.get $text) (local.get $length)))
    (func (export "decr") (param $text i32) (param $length i32) (result i32)
      (call $report (i32.const 1))
      (call $return (local.get $text) (local.get $length)))
    ;; A message is known by its operation.
    (func (export "message") (param $operation i32) (result i32)
      (call $new (local.get $operation)))
    (func (export "update") (param $message i32) (param $text i32) (param $length i32) (result i32)
      (call $return (local.get $text) (local.get $length)))
    (func (export "finish") (param $message i32) (result i32)
      (call $report (local.get $message))
      (call $return (i32.const 0) (i32.const 0))))

  (type $operation (enum "encr" "decr"))
  (type $message (resource (rep i32)))
  (core func $new (canon resource.new $message))
  (core func $rep (canon resource.rep $message))
  (core instance $i (instantiate $code
    (with "m" (instance $m))
    (with "host" (instance (export "record" (func $record)) (export "new" (func $new))))))

  ;; `finish` is given a handle, and `update` a representation.
  (core module $handles
    (import "host" "rep" (func $rep (param i32) (result i32)))
    (import "code" "finish" (func $finish (param i32) (result i32)))
    (func (export "finish") (param $handle i32) (result i32)
      (call $finish (call $rep (local.get $handle)))))
  (core instance $h (instantiate $handles
    (with "host" (instance (export "rep" (func $rep))))
    (with "code" (instance $i))))

  (func $encr (param "input" string) (result string)
    (canon lift (core func $i "encr") (memory (core memory $m "memory")) (realloc (core func $m "realloc"))
      (post-return (core func $m "returned"))))
  (func $decr (param "input" string) (result string)
    (canon lift (core func $i "decr") (memory (core memory $m "memory")) (realloc (core func $m "realloc"))
      (post-return (core func $m "returned"))))
  (export "encr" (func $encr))
  (export "decr" (func $decr))

  (func $constructor (param "operation" $operation) (result (own $message))
    (canon lift (core func $i "message")))
  (func $update (param "self" (borrow $message)) (param "chunk" string) (result string)
    (canon lift (core func $i "update") (memory (core memory $m "memory")) (realloc (core func $m "realloc"))
      (post-return (core func $m "returned"))))
  (func $finish (param "message" (own $message)) (result string)
    (canon lift (core func $h "finish") (memory (core memory $m "memory")) (realloc (core func $m "realloc"))
      (post-return (core func $m "returned"))))
  ;; Functions of an exported resource are typed by its exported name.
  (component $named
    (type $cases (enum "encr" "decr"))
    (import "operation-in" (type $operation-in (eq $cases)))
    (import "message-in" (type $message-in (sub resource)))
    (import "constructor-in" (func $constructor (param "operation" $operation-in) (result (own $message-in))))
    (import "update-in" (func $update (param "self" (borrow $message-in)) (param "chunk" string) (result string)))
    (import "finish-in" (func $finish (param "message" (own $message-in)) (result string)))
    (export $operation "operation" (type $operation-in))
    (export $message "message" (type $message-in))
    (export "[constructor]message" (func $constructor)
      (func (param "operation" $operation) (result (own $message))))
    (export "[method]message.update" (func $update)
      (func (param "self" (borrow $message)) (param "chunk" string) (result string)))
    (export "[static]message.finish" (func $finish)
      (func (param "message" (own $message)) (result string))))
  (instance $streaming (instantiate $named
    (with "operation-in" (type $operation))
    (with "message-in" (type $message))
    (with "constructor-in" (func $constructor))
    (with "update-in" (func $update))
    (with "finish-in" (func $finish))))
  (export "saritnike:cipher/streaming@0.1.0" (instance $streaming)))

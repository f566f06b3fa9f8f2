SELECT t.id, t.externalid AS external_id, t.tranid AS tran_id, t.recordtype AS record_type, t.status, t.entity,
       {subsidiary}t.currency, t.exchangerate AS exchange_rate, t.foreigntotal AS foreign_total,
       t.foreignpaymentamountunused AS unused, TO_CHAR(t.trandate, 'YYYY-MM-DD') AS tran_date
FROM transaction t
WHERE ({where})
  AND t.id > ?
ORDER BY t.id ASC

SELECT t.id, t.externalid AS external_id, t.tranid AS tran_id, t.type, t.status, t.entity, t.currency,
       t.foreigntotal AS foreign_total, t.foreignamountunpaid AS unpaid, t.foreignpaymentamountunused AS unused,
       TO_CHAR(t.trandate, 'YYYY-MM-DD') AS tran_date, ml.createdfrom AS created_from, a.account
FROM transaction t
JOIN transactionline ml ON ml.transaction = t.id AND ml.mainline = 'T'
LEFT JOIN transactionaccountingline a ON a.transaction = t.id AND a.transactionline = ml.id
WHERE {where}
  AND t.id > ?
ORDER BY t.id ASC

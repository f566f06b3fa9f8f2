SELECT t.id, t.externalid AS external_id, t.tranid AS tran_id, t.status, t.posting,
       TO_CHAR(t.trandate, 'YYYY-MM-DD') AS tran_date, {subsidiary}t.currency,
       t.exchangerate AS exchange_rate, t.memo,
       {who}tl.id AS line_id, tl.linesequencenumber AS line_number, tl.foreignamount AS amount,
       tl.memo AS line_memo, tl.entity AS line_entity, tal.account, tal.debit, tal.credit
FROM transaction t
JOIN transactionline tl ON tl.transaction = t.id
JOIN transactionaccountingline tal ON tal.transaction = tl.transaction AND tal.transactionline = tl.id
WHERE t.type = 'Journal'
  AND {where}
  AND (t.id > ? OR (t.id = ? AND tl.id > ?))
ORDER BY t.id ASC, tl.id ASC

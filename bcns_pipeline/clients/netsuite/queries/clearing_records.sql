SELECT t.id, t.tranid AS tran_id, t.type, TO_CHAR(t.trandate, 'YYYY-MM-DD') AS tran_date,
       tal.account, t.currency, {subsidiary}tal.posting, tal.accountingbook AS book,
       {who}SUM(NVL(tal.debit, 0) - NVL(tal.credit, 0)) AS base,
       SUM(tl.foreignamount) AS foreign_amount
FROM transaction t
JOIN transactionline tl ON tl.transaction = t.id
JOIN transactionaccountingline tal ON tal.transaction = tl.transaction AND tal.transactionline = tl.id
WHERE tal.account IN ({accounts})
  AND t.trandate <= TO_DATE(?, 'YYYY-MM-DD')
  AND {whose}
  AND (t.id > ? OR (t.id = ? AND tal.account > ?))
GROUP BY t.id, t.tranid, t.type, t.trandate, tal.account, t.currency, {subsidiary}tal.posting, tal.accountingbook
ORDER BY t.id ASC, tal.account ASC, tal.accountingbook ASC

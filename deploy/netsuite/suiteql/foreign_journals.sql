-- Journals on clearing accounts that are not ours: by hand, or by another tool. :clearing are their internal ids.
SELECT t.tranid, t.externalid, TO_CHAR(t.trandate, 'YYYY-MM-DD') AS tran_date, t.status, t.currency, a.account,
       a.debit, a.credit, t.memo
FROM transaction t
JOIN transactionaccountingline a ON a.transaction = t.id
WHERE t.type = 'Journal'
  AND a.account IN (:clearing)
  AND (t.externalid IS NULL OR (t.externalid NOT LIKE 'psp-%' AND t.externalid NOT LIKE 'bc-%'))
ORDER BY t.trandate ASC, t.id ASC

-- Clearing accounts by month and type: what was booked to them, and what is left. :clearing are their internal ids.
SELECT a.account, TO_CHAR(t.trandate, 'YYYY-MM') AS period, t.type, SUM(a.debit) AS debit, SUM(a.credit) AS credit
FROM transaction t
JOIN transactionaccountingline a ON a.transaction = t.id
WHERE a.account IN (:clearing)
  AND a.posting = 'T'
GROUP BY a.account, TO_CHAR(t.trandate, 'YYYY-MM'), t.type
ORDER BY a.account ASC, TO_CHAR(t.trandate, 'YYYY-MM') ASC, t.type ASC

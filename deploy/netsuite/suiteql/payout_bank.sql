-- Payouts against the bank: what each payout's entry puts into a bank account. :clearing are the clearing accounts.
SELECT t.tranid, t.externalid, TO_CHAR(t.trandate, 'YYYY-MM-DD') AS tran_date, t.status, t.currency, a.account,
       a.debit, a.credit, t.memo
FROM transaction t
JOIN transactionaccountingline a ON a.transaction = t.id
JOIN account k ON k.id = a.account
WHERE t.type = 'Journal'
  AND t.externalid LIKE 'psp-%'
  AND k.accttype = 'Bank'
  AND a.account NOT IN (:clearing)
ORDER BY t.trandate ASC, t.id ASC

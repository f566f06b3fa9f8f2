SELECT t.id, t.externalid AS external_id, t.tranid AS tran_id, t.recordtype AS record_type, t.status,
       t.entity, {optional}t.foreigntotal AS foreign_total, t.total,
       TO_CHAR(t.trandate, 'YYYY-MM-DD') AS tran_date,
       TO_CHAR(t.lastmodifieddate, 'YYYY-MM-DD HH24:MI:SS') AS modified_at,
       t.otherrefnum AS other_ref_num{more}
FROM transaction t
WHERE {where}
  AND t.id > ?
ORDER BY t.id ASC

SELECT f.id, f.tranid AS tran_id, f.externalid AS external_id, f.status,
       TO_CHAR(f.lastmodifieddate, 'YYYY-MM-DD HH24:MI:SS') AS modified_at,
       TO_CHAR(f.trandate, 'YYYY-MM-DD') AS ship_date, ml.createdfrom AS order_id,
       so.tranid AS order_number, so.externalid AS order_external_id, so.otherrefnum AS order_other_ref_num,
       {optional}ml.location
FROM transaction f
JOIN transactionline ml ON ml.transaction = f.id AND ml.mainline = 'T'
JOIN transaction so ON so.id = ml.createdfrom AND so.type = 'SalesOrd'
{shipment_join}WHERE f.type = 'ItemShip'
  AND {where}
  AND f.id > ?
ORDER BY f.id ASC

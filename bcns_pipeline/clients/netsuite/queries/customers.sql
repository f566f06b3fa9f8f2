SELECT c.id, c.externalid AS external_id, c.email, c.isperson AS is_person, c.companyname AS company,
       c.firstname AS first_name, c.lastname AS last_name, c.phone, c.isinactive AS is_inactive,
       {optional}TO_CHAR(c.lastmodifieddate, 'YYYY-MM-DD HH24:MI:SS') AS modified_at
FROM customer c
WHERE {where}
  AND c.id > ?
ORDER BY c.id ASC

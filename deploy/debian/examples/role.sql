-- A role that may only read the orders. Run as the database's owner:  psql -d shop -f role.sql
-- Over the local socket PostgreSQL knows the service by its user, conversiond (peer authentication): it needs no password.
CREATE ROLE conversiond LOGIN;
GRANT USAGE ON SCHEMA public TO conversiond;
GRANT SELECT ON public.orders TO conversiond;

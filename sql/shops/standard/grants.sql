-- The least that the jobs' own user needs in the standard shop's schema: what its views read and its writes change.

GRANT SELECT ON {shop}shop TO {user};
GRANT SELECT ON {shop}pg_contract TO {user};
GRANT SELECT, UPDATE (state, reset_at) ON {shop}subscription_service TO {user};
GRANT SELECT ON {shop}automail_setting TO {user};
GRANT SELECT ON {shop}automessage_setting TO {user};
GRANT SELECT, UPDATE (balance) ON {shop}message_credit TO {user};
GRANT SELECT (member_id, name, email, cellphone, withdrawn_at) ON {shop}member TO {user};
GRANT SELECT, UPDATE (stock_quantity) ON {shop}product TO {user};
GRANT SELECT ON {shop}subscription_setting TO {user};
GRANT SELECT ON {shop}subscription_setting_discount TO {user};
GRANT SELECT ON {shop}subscription_setting_product TO {user};
GRANT SELECT ON {shop}shipping_policy TO {user};
GRANT SELECT ON {shop}shipping_region_fee TO {user};
GRANT SELECT, DELETE ON {shop}card TO {user};
GRANT SELECT, UPDATE (subscription_state, card_id, backup_card_id, terminated_date, terminated_reason)
  ON {shop}subscription TO {user};
GRANT SELECT, UPDATE (subscription_state, subscription_shipments_sequence, expected_delivery_date, expected_pay_date,
  terminated_date) ON {shop}subscription_item TO {user};
GRANT SELECT ON {shop}price_consent TO {user};
GRANT SELECT, INSERT ON {shop}orders TO {user};
GRANT SELECT, INSERT ON {shop}order_item TO {user};
GRANT INSERT ON {shop}subscription_log TO {user};
